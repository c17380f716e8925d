/* Folders with all that is in them. */
#ifndef BASE_REMOVE_TREE_H
#define BASE_REMOVE_TREE_H

/* Removes `name` in the open folder (or AT_FDCWD), whatever is in it, without following a link out of it. What cannot
 * be removed stays. */
void remove_tree(int folder, const char *name);

#endif
