"""How busy the machine is, under the names that MLflow's *System metrics* tab shows."""

from __future__ import annotations

import psutil

MB = 1e6
PREFIX = "system/"


class Machine:
    """Samples of the whole machine; rates and totals count from the sample before."""

    def __init__(self) -> None:
        psutil.cpu_percent()  # the first call has nothing to compare with
        self._network = psutil.net_io_counters()

    def sample(self) -> dict[str, float]:
        """Load in percent, memory and network use in MB (10^6 bytes)."""
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(".")
        found = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / MB,
            "system_memory_usage_percentage": memory.percent,
            "disk_usage_megabytes": disk.used / MB,
            "disk_usage_percentage": disk.percent,
        }
        network = psutil.net_io_counters()
        if network is not None and self._network is not None:  # some containers have no network
            sent = network.bytes_sent - self._network.bytes_sent
            received = network.bytes_recv - self._network.bytes_recv
            found["network_transmit_megabytes"] = sent / MB
            found["network_receive_megabytes"] = received / MB
            self._network = network
        return {PREFIX + name: float(value) for name, value in found.items()}
