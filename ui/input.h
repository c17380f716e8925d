/* What a person does at the keyboard and with the mouse, apart from any terminal library. */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include <stdbool.h>
#include <stdint.h>

/* Keys beyond the characters. A key is a Unicode character, a control code, or one of these. */
enum input_key {
    INPUT_NONE = 0,
    INPUT_FIRST = 0x110000,
    INPUT_UP,
    INPUT_DOWN,
    INPUT_LEFT,
    INPUT_RIGHT,
    INPUT_HOME,
    INPUT_END,
    INPUT_PAGE_UP,
    INPUT_PAGE_DOWN,
    INPUT_ENTER,
    INPUT_ESC,
    INPUT_TAB,
    INPUT_BACK_TAB,
    INPUT_BACKSPACE,
    INPUT_DELETE,
    INPUT_INSERT,
    INPUT_F1,
    INPUT_F12 = INPUT_F1 + 11,
    INPUT_CLICK,
    INPUT_WHEEL_UP,
    INPUT_WHEEL_DOWN,
    INPUT_DOUBLE_CLICK, /* stands for a click, too: one may have come before it or not */
    INPUT_UNKNOWN       /* a key that means nothing here */
};

struct input {
    uint32_t key;
    int x, y;       /* of the mouse */
    bool is_pasted; /* and the terminal says so: text, but no key */
};

#endif
