"""The embedded platform: a second program in the same house, started as a process of its own.

One ASGI application on one port: fakts (who may come in), mikro (images), rekuest (calls), and the S3 door. The public
entry is ``python -m jupyter_arkitekt.server``; :func:`jupyter_arkitekt.server.app.build_app` is for tests.
"""
