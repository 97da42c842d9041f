"""When and where: schedules, plans, operators and the RTL they become. No torch below."""
