/* The board's clock and UART, as the rest of the firmware sees them: board.c on the board, a stand-in in the tests. */
#ifndef FIRMWARE_BOARD_H
#define FIRMWARE_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins to receive, and starts the clock at 0. */
void board_start(void);
/* Microseconds since board_start; never less than the time before. */
uint64_t board_time(void);
/* The next byte that came, 0 to 255; -1 where there is none. */
int board_receive(void);
/* Sends the bytes, which must lie in RAM, and waits until they are out. */
void board_send(const char *data, size_t len);
/* Sleeps until the next interrupt, a millisecond at most. */
void board_wait(void);
/* What the generator of the samples begins with. */
uint32_t board_seed(void);

#endif
