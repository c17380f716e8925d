/* The firmware's main; APPLICATION is `sensor` or `actuator`. */
#include "application.h"
#include "board.h"

int main(void)
{
    static struct line line;
    board_start();
    APPLICATION.start();
    for (;;)
        if (!application_turn(&APPLICATION, &line))
            board_wait();
}
