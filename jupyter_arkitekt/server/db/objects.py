"""Tables of the object store: there are none.

What is in a bucket is what is in its folder, and grants are kept by nobody (see `jupyter_arkitekt.server.objects`).
"""
