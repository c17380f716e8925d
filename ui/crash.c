#include "ui/crash.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"

static const int crashes[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
#define CRASHES    (sizeof crashes / sizeof *crashes)
#define STACK_SIZE 32768

/* Part of the terminal: what the handler needs. */
static struct {
    int input_fd, output_fd;
    struct termios settings;
    char bytes[256];
    size_t len;
    struct sigaction before[CRASHES];
    stack_t stack;
} terminal;

static void restore(int sig)
{
    ssize_t ignored = write(terminal.output_fd, terminal.bytes, terminal.len);
    (void)ignored;
    tcsetattr(terminal.input_fd, TCSANOW, &terminal.settings);
    for (size_t i = 0; i < CRASHES; i++)
        if (crashes[i] == sig)
            sigaction(sig, &terminal.before[i], NULL);
    raise(sig); /* taken once this handler has returned */
}

/* Adds a terminfo string without its padding ("$<5>"). */
static void add(const char *s)
{
    if (!s || s == (const char *)-1)
        return;
    while (*s && terminal.len < sizeof terminal.bytes) {
        const char *end = s[0] == '$' && s[1] == '<' ? strchr(s, '>') : NULL;
        if (end)
            s = end + 1;
        else
            terminal.bytes[terminal.len++] = *s++;
    }
}

void crash_prepare(int input_fd, int output_fd)
{
    terminal.input_fd = input_fd;
    terminal.output_fd = output_fd;
    tcgetattr(input_fd, &terminal.settings);
}

void crash_arm(const char *plain, const char *keypad_off, const char *cursor_on, const char *main_screen)
{
    terminal.len = 0;
    add("\033[?1000l\033[?1002l\033[?1003l\033[?1006l"); /* the mouse; terminals without one ignore it */
    add(plain);
    add(keypad_off);
    add(cursor_on);
    add(main_screen);
    add("\r\n");
    terminal.stack = (stack_t){ .ss_sp = mem_alloc(STACK_SIZE), .ss_size = STACK_SIZE };
    sigaltstack(&terminal.stack, NULL);
    struct sigaction action = { .sa_handler = restore, .sa_flags = SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, &terminal.before[i]);
}

void crash_disarm(void)
{
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &terminal.before[i], NULL);
    stack_t none = { .ss_flags = SS_DISABLE };
    sigaltstack(&none, NULL);
    free(terminal.stack.ss_sp);
    terminal.stack.ss_sp = NULL;
}
