/* The smallest daemon that can be supervised: it stamps, says ready, and waits for ever.
 *
 * One argument, so that "#!/path/trivial SPEC" is a run script without a shell:
 *   index=N,board=PATH,ready=none|notify|fd:N,beat=MILLISECONDS,mark=WORD
 * The stamp is 24 bytes in one write: index, pid, CLOCK_MONOTONIC in ns at the top of main.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char *option(const char *spec, const char *name)
{
    static char value[256];
    const char *at = strstr(spec, name);
    size_t length;

    if (at == NULL)
        return "";
    at += strlen(name);
    length = strcspn(at, ",");
    if (length >= sizeof(value))
        length = sizeof(value) - 1;
    memcpy(value, at, length);
    value[length] = 0;
    return value;
}

static void stamp(const char *spec, int64_t now)
{
    int64_t record[3] = {atoll(option(spec, "index=")), getpid(), now};
    int board = open(option(spec, "board="), O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (board < 0 || write(board, record, sizeof(record)) != sizeof(record))
        _exit(111);
    close(board);
}

static void notify(const char *text)
{
    static int socket_fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length;

    if (path == NULL || (length = strlen(path)) >= sizeof(address.sun_path))
        return;
    if (socket_fd < 0)
        socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = 0;
    sendto(socket_fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
           offsetof(struct sockaddr_un, sun_path) + length);
}

int main(int argc, char **argv)
{
    struct timespec now;
    const char *spec = argc > 1 ? argv[1] : "", *ready;
    long beat;

    clock_gettime(CLOCK_MONOTONIC, &now);
    signal(SIGHUP, SIG_IGN);
    stamp(spec, now.tv_sec * 1000000000LL + now.tv_nsec);
    ready = option(spec, "ready=");
    if (strncmp(ready, "fd:", 3) == 0) {
        int fd = atoi(ready + 3);
        if (write(fd, "\n", 1) == 1)
            close(fd);
    } else if (strcmp(ready, "notify") == 0) {
        notify("READY=1");
    }
    beat = atol(option(spec, "beat="));
    for (;;) {
        struct timespec pause_time = {beat / 1000, beat % 1000 * 1000000};
        if (beat <= 0) {
            pause();
            continue;
        }
        notify("WATCHDOG=1");
        nanosleep(&pause_time, NULL);
    }
}
