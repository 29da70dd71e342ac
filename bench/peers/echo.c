/* Answers in upper case, one thread: echo tcp|udp PORT */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[65536];

static void upper(ssize_t n) {
  for (ssize_t i = 0; i < n; i++)
    if (buffer[i] >= 'a' && buffer[i] <= 'z') buffer[i] -= 32;
}

static void datagrams(int fd) {
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (void *)&from, &size);
    if (n < 0) continue;
    upper(n);
    sendto(fd, buffer, n, 0, (void *)&from, size);
  }
}

static void watch(int poll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

/* Messages are short and clients wait for answers: what does not fit the socket is not kept here. */
static void connections(int listener) {
  int poll = epoll_create1(0), one = 1;
  struct epoll_event events[256];
  listen(listener, 4096);
  watch(poll, listener);
  for (;;) {
    int ready = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        watch(poll, fd);
        continue;
      }
      ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n > 0) upper(n);
      if (n <= 0 || send(fd, buffer, n, MSG_NOSIGNAL) != n) close(fd);
    }
  }
}

int main(int count, char **words) {
  if (count != 3) return 2;
  int udp = strcmp(words[1], "udp") == 0, one = 1;
  int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (void *)&at, sizeof at) != 0) return 1;
  if (udp) datagrams(fd);
  connections(fd);
}
