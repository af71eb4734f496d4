"""The lab: two storage nodes and a client in QEMU, with real kernels, disks, cables and faults."""
