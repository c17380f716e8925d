/* Gives the terminal back when the program crashes. Only calls that are safe in a signal handler are made there. */
#ifndef UI_CRASH_H
#define UI_CRASH_H

/* Notes how the terminal is set. Call it before anything changes it. */
void crash_prepare(int input_fd, int output_fd);
/* From now on a crash writes these terminfo strings (NULL: none; their padding is left out) and restores the settings.
 */
void crash_arm(const char *plain, const char *keypad_off, const char *cursor_on, const char *main_screen);
void crash_disarm(void);

#endif
