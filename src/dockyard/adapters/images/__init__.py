"""Images: the direct builder and the engine builder behind one port, the local store, and the proof of a model.

`dockyard_image` does the work of the direct builder; what is here decides, translates its errors, and drives a Docker engine
where the direct builder cannot serve a model.
"""
