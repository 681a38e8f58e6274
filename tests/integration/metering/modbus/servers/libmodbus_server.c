/* A server made of libmodbus alone: registers hold 1000 + their address. Prints its port. */
#include <arpa/inet.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *map = modbus_mapping_new(200, 200, 200, 200);
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    struct sockaddr_in where = {.sin_family = AF_INET};
    socklen_t size = sizeof where;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    for (int at = 0; at < 200; at++) {
        map->tab_registers[at] = map->tab_input_registers[at] = (uint16_t)(1000 + at);
        map->tab_bits[at] = map->tab_input_bits[at] = at % 3 == 0;
    }
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&where, sizeof where) || listen(listener, 4)) return 1;
    getsockname(listener, (struct sockaddr *)&where, &size);
    printf("%d\n", ntohs(where.sin_port));
    fflush(stdout);
    for (;;) {
        if (modbus_tcp_accept(context, &listener) < 0) return 1;
        for (;;) {
            int length = modbus_receive(context, query);
            if (length < 0) break;
            if (length) modbus_reply(context, query, length, map);
        }
        modbus_close(context);
    }
}
