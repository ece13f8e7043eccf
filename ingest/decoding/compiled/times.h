/* When a device measured, read from its text or number; see timestamps.py for what is meant. */

#ifndef OVERFLY_TIMES_H
#define OVERFLY_TIMES_H

#include "scanning.h"

/* Milliseconds since the epoch; false where the timestamp is unusual, or none. */
bool time_of_text(const Text *text, int64_t *time);
bool time_of_number(const Number *number, int64_t *time);

#endif
