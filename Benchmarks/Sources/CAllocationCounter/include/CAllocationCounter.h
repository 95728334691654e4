#pragma once
/// How many blocks of memory the process has allocated so far.
long allocation_count(void);
