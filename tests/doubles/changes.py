"""The changes of other replicas, as those who share fetches ask for them."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class ChangesElsewhere:
    """A look takes `latency` seconds and is answered by what was told until then; `known`: there is an answer at all.

    `looks` are the moments that were asked about.
    """

    latency: float = 0.01
    known: bool = True
    last: float = float("-inf")
    looks: list[float] = field(default_factory=list)

    async def tell(self) -> None:
        self.last = asyncio.get_running_loop().time()

    async def none_since(self, began: float) -> bool:
        self.looks.append(began)
        await asyncio.sleep(self.latency)
        return self.known and began > self.last
