/* Asks an echo server, each socket again when it is answered, and prints what came of it as JSON:
 *
 *     load tcp|udp PORT SOCKETS SECONDS
 *
 * Half a second before that is not counted. Answers are looked at: as long as the question, and in
 * upper case. A datagram that is not answered in 200 ms counts as lost, and another one is sent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { size = 64, numbered = 8 };

struct line {
  int fd, got;
  unsigned number;
  double sent;
  long answers;
  char bytes[size];
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static float *times;
static size_t count, room;
static long lost, wrong;

static void keep(double seconds) {
  if (count == room) times = realloc(times, (room = room ? 2 * room : 1 << 20) * sizeof *times);
  times[count++] = seconds * 1000;
}

static void ask(struct line *line) {
  char text[size + 1];
  memset(text, 'x', size);
  text[snprintf(text, size, "%0*u", numbered, ++line->number % 100000000)] = 'x';
  line->got = 0;
  line->sent = now();
  if (send(line->fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) != size) wrong++;
}

static int ascending(const void *a, const void *b) {
  return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

static double percentile(double share) {
  return count ? times[(size_t)(share * (count - 1))] : 0;
}

int main(int words, char **word) {
  if (words != 5) return 2;
  int udp = strcmp(word[1], "udp") == 0, one = 1, all = atoi(word[3]);
  double seconds = atof(word[4]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(word[2]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct line *lines = calloc(all, sizeof *lines);
  int poll = epoll_create1(0), alive = all;
  for (int i = 0; i < all; i++) {
    int fd = lines[i].fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (connect(fd, (void *)&to, sizeof to) != 0) return perror("connect"), 1;
    if (!udp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &lines[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
  double from = now() + 0.5, until = from + seconds, swept = from;
  for (int i = 0; i < all; i++) ask(&lines[i]);
  struct epoll_event events[256];
  for (double t = now(); t < until && alive > 0; t = now()) {
    int ready = epoll_wait(poll, events, 256, 20);
    for (int i = 0; i < ready; i++) {
      struct line *line = events[i].data.ptr;
      ssize_t n = recv(line->fd, line->bytes + line->got, size - line->got, MSG_DONTWAIT);
      if (n <= 0) {
        if (udp) continue;
        wrong++;
        alive--;
        close(line->fd);
        continue;
      }
      line->got += n;
      if (udp && atoi((line->bytes[numbered] = 0, line->bytes)) != (int)(line->number % 100000000)) {
        line->got = 0; /* the late answer to a lost one */
        continue;
      }
      if (line->got < size && !udp) continue;
      t = now();
      if (line->got != size || line->bytes[size - 1] != 'X') wrong++;
      else if (t >= from && t < until) {
        if (line->sent >= from) keep(t - line->sent);
        line->answers++;
      }
      ask(line);
    }
    if (!udp || t < swept + 0.05) continue;
    swept = t;
    for (int i = 0; i < all; i++) {
      if (t - lines[i].sent < 0.2) continue;
      lost++;
      ask(&lines[i]);
    }
  }
  /* Who waits for its answer still has waited so long at least. */
  for (int i = 0; i < all; i++) if (until - lines[i].sent > 0.001) keep(until - lines[i].sent);
  long sum = 0, least = lines[0].answers;
  for (int i = 0; i < all; i++) {
    sum += lines[i].answers;
    if (lines[i].answers < least) least = lines[i].answers;
  }
  qsort(times, count, sizeof *times, ascending);
  printf("{\"rate\":%.0f,\"p50\":%.3f,\"p999\":%.3f,\"fairness\":%.3f,\"lost\":%ld,\"wrong\":%ld}\n",
         sum / seconds, percentile(0.5), percentile(0.999), sum ? (double)least * all / sum : 0, lost,
         wrong);
  return 0;
}
