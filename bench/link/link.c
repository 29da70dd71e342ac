/*
 * link DELAY_MS MBIT COMMAND [ARGUMENT]...: runs COMMAND at the near end of a link. Each direction of the link
 * carries MBIT million bits a second, and a packet arrives DELAY_MS after its last bit has left. The ends are
 * network namespaces with the addresses 10.77.0.1 (near) and 10.77.0.2 (far). COMMAND finds the far one's path in
 * LINK_FAR. A packet that would wait for more than MAX_WAIT before it leaves is dropped, as by a router.
 * Needs root.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PACKET 1500
#define MAX_WAIT 0.1
/* More packets than can be under way in MAX_WAIT and a second, at 100 Mbit/s and 100 bytes each. */
#define PACKETS (1 << 18)

struct packet {
  double due;
  short length;
  char bytes[MAX_PACKET];
};

/* One direction. Packets leave and arrive in their order. */
struct direction {
  int from, to;
  double free_at;
  unsigned first, end;
  struct packet *packets;
};

static double delay, seconds_per_byte;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void set_up(int fd, struct ifreq *request) {
  request->ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, request) < 0) err(1, "cannot start %s", request->ifr_name);
}

/* Enters a new namespace. Returns its end of the link. */
static int make_end(const char *address, const char *peer) {
  if (unshare(CLONE_NEWNET) < 0) err(1, "cannot make a network namespace");
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) err(1, "/dev/net/tun");
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq loopback = {.ifr_name = "lo"};
  set_up(control, &loopback);
  struct ifreq tun = {.ifr_name = "link", .ifr_flags = IFF_TUN | IFF_NO_PI};
  if (ioctl(fd, TUNSETIFF, &tun) < 0) err(1, "cannot make a tunnel");
  struct sockaddr_in *in = (struct sockaddr_in *)&tun.ifr_addr;
  *in = (struct sockaddr_in){.sin_family = AF_INET};
  inet_pton(AF_INET, address, &in->sin_addr);
  if (ioctl(control, SIOCSIFADDR, &tun) < 0) err(1, "%s", address);
  inet_pton(AF_INET, peer, &in->sin_addr);
  if (ioctl(control, SIOCSIFDSTADDR, &tun) < 0) err(1, "%s", peer);
  if (ioctl(control, SIOCGIFFLAGS, &tun) < 0) err(1, "link");
  set_up(control, &tun);
  close(control);
  return fd;
}

static void take(struct direction *way) {
  for (;;) {
    struct packet *packet = &way->packets[way->end % PACKETS];
    ssize_t length = read(way->from, packet->bytes, MAX_PACKET);
    if (length < 0 && errno == EAGAIN) return;
    if (length < 0) err(1, "read");
    double at = now(), leaves = way->free_at > at ? way->free_at : at;
    if (leaves - at > MAX_WAIT || way->end - way->first == PACKETS - 1) continue;
    way->free_at = leaves + length * seconds_per_byte;
    packet->due = way->free_at + delay;
    packet->length = length;
    way->end++;
  }
}

static void deliver(struct direction *way) {
  for (; way->first != way->end; way->first++) {
    struct packet *packet = &way->packets[way->first % PACKETS];
    if (packet->due > now()) return;
    if (write(way->to, packet->bytes, packet->length) < 0 && errno != EAGAIN) err(1, "write");
  }
}

int main(int count, char **words) {
  if (count < 4) errx(2, "usage: link DELAY_MS MBIT COMMAND [ARGUMENT]...");
  delay = atof(words[1]) / 1e3;
  seconds_per_byte = 8 / (atof(words[2]) * 1e6);
  int near = make_end("10.77.0.1", "10.77.0.2"), ready[2];
  if (pipe2(ready, O_CLOEXEC) < 0) err(1, "pipe");
  signal(SIGINT, SIG_IGN); /* the command ends first */
  pid_t command = fork();
  if (command < 0) err(1, "fork");
  if (command == 0) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/net", getppid());
    setenv("LINK_FAR", path, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGINT, SIG_DFL);
    if (read(ready[0], path, 1) != 1) exit(1);
    execvp(words[3], words + 3);
    err(127, "%s", words[3]);
  }
  int far = make_end("10.77.0.2", "10.77.0.1");
  if (write(ready[1], "", 1) != 1) err(1, "write");
  struct direction ways[2] = {{.from = near, .to = far}, {.from = far, .to = near}};
  for (int i = 0; i < 2; i++) {
    ways[i].packets = malloc(sizeof(struct packet) * PACKETS);
    if (!ways[i].packets) err(1, "malloc");
  }
  for (int status;;) {
    double next = now() + 0.1;
    for (int i = 0; i < 2; i++) {
      struct direction *way = &ways[i];
      double due = way->first == way->end ? next : way->packets[way->first % PACKETS].due;
      if (due < next) next = due;
    }
    double wait = next - now();
    if (wait < 0) wait = 0;
    struct timespec timeout = {.tv_sec = wait, .tv_nsec = (wait - (long)wait) * 1e9};
    struct pollfd polled[2] = {{.fd = near, .events = POLLIN}, {.fd = far, .events = POLLIN}};
    if (ppoll(polled, 2, &timeout, NULL) < 0 && errno != EINTR) err(1, "ppoll");
    for (int i = 0; i < 2; i++) {
      take(&ways[i]);
      deliver(&ways[i]);
    }
    if (waitpid(command, &status, WNOHANG) == command) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
  }
}
