/* Paths as texts. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

/* The path of `file` in `folder`, both absolute and without links; NULL where it is not in there. */
const char *path_inside(const char *folder, const char *file);

#endif
