"""When and where: schedules, plans, operators and the RTL they become. No torch below."""

import warnings

from amaranth.hdl import UnusedElaboratable

# A plan asks operators for their figures, and not every plan is built.
warnings.simplefilter("ignore", UnusedElaboratable)
