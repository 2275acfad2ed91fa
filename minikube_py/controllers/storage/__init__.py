"""Volumes: claims find or get one, and give it back.

`binder` brings claims and volumes together (persistentvolume-controller), `matching` chooses, `reclaim` says what becomes of a
released volume, `provisioner` plays the external provisioners and resizers of CSI drivers, `protection` keeps what is in use,
`ephemeral` makes the claims of generic ephemeral volumes.
"""
