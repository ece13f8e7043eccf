/* Members of a line that geofences ask for beside a position's own. */

#ifndef OVERFLY_ASKED_H
#define OVERFLY_ASKED_H

#include "scanning.h"

/* As MOST_ASKED in usual_lines.py; and as SHORT in odd_lines.py: properties of a longer line could be too large. */
enum { MOST_NAMES = 16, LONGEST_LINE = 1024 };

typedef struct {
    PyObject *texts; /* the text of what is asked for, by the values of a line */
    PyObject *found; /* a list of such texts, one a row; NULL where nothing is asked for */
    Text names[MOST_NAMES];
    Text values[MOST_NAMES]; /* of the line in hand, in JSON; of no length where it has none */
    int count;
} Asked;

/* Names from a tuple of bytes, which outlives it, and a dict of texts; false and an exception if they are others. */
bool open_asked(PyObject *names, PyObject *texts, Asked *asked);

/* Which of the names this is; -1 if none. */
int asked_name(const Asked *asked, const Text *name);

/* Adds the text of the values of the line in hand; false and an exception where Python fails. */
bool add_asked(Asked *asked);

#endif
