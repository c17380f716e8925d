/* One line of JSON as a person reads it. Takes any text: what is no JSON is shown as it is. */
#ifndef UI_JSON_VIEW_H
#define UI_JSON_VIEW_H

#include "ui/canvas.h"

/* On one line, without the quotes of names: "temperature 21.3948…  unit C". Long fractions are cut. */
void json_compact(struct pen *p, const char *s, size_t len);
/* As it is written, with a blank behind ':' and ',', in colours. */
void json_line(struct pen *p, const char *s, size_t len);
/* The same over the rows of an area; the last one is cut. */
void json_flow(const struct area *a, const char *s, size_t len);
/* Over several lines, indented by two; every line is for json_line. */
void json_pretty(struct buffer *out, const char *s, size_t len);
/* What json_pretty has written, over as many rows as its lines take, from row `top` on. Returns how many there are. */
uint64_t json_draw(const struct area *a, const struct buffer *text, uint64_t top);

#endif
