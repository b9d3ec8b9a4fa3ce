"""What layers on scalars are made of, whichever framework writes them: functions of sites, values, arrays."""
