"""The main job on a bare machine: platform, sample data, a sample app and the quickstart notebook.

`samples` makes the images, `functions` is the sample app, `host` runs it as a process of its own, `quickstart` puts
the notebook where it can be opened, `check` executes it and verifies each step's result another way.
"""
