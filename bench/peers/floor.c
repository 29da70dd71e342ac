/* The least that moving a file takes: a socket and two files, with or without SHA-256 at both ends.
 *
 *     floor serve PORT FOLDER          answers "get|put|gets|puts SIZE NAME\n", for ever
 *     floor get|put|gets|puts PORT FILE NAME
 *
 * The digest (gets, puts) goes behind the bytes and is compared by who receives them. Nothing is synced.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { block = 1 << 18, digest = 32 };
static char buffer[block];

static void all(int fd, const char *bytes, size_t n, int out) {
  while (n > 0) {
    ssize_t done = out ? write(fd, bytes, n) : read(fd, (char *)bytes, n);
    if (done <= 0) exit(1);
    bytes += done;
    n -= done;
  }
}

/* Moves so many bytes from one end to the other; the socket is where the digest goes or comes from. */
static void move(int from, int to, long left, int hashed, int sending) {
  EVP_MD_CTX *hash = hashed ? EVP_MD_CTX_new() : NULL;
  unsigned char ours[EVP_MAX_MD_SIZE];
  char theirs[digest];
  if (hash) EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
  while (left > 0) {
    ssize_t n = read(from, buffer, left < block ? left : block);
    if (n <= 0) exit(1);
    if (hash) EVP_DigestUpdate(hash, buffer, n);
    all(to, buffer, n, 1);
    left -= n;
  }
  if (!hash) return;
  EVP_DigestFinal_ex(hash, ours, NULL);
  EVP_MD_CTX_free(hash);
  if (sending) return all(to, (char *)ours, digest, 1);
  all(from, theirs, digest, 0);
  if (memcmp(ours, theirs, digest) != 0) exit(1);
}

static void receive(int fd, const char *path, long size, int hashed) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) exit(1);
  move(fd, file, size, hashed, 0);
  close(file);
}

static void serve(int listener) {
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || fork() != 0) {
      close(fd);
      continue;
    }
    char line[512], verb[8], name[256];
    int n = 0;
    do all(fd, line + n, 1, 0);
    while (line[n++] != '\n' && n < 511);
    line[n] = 0;
    long size;
    if (sscanf(line, "%7s %ld %255s", verb, &size, name) != 3) exit(1);
    int hashed = verb[3] == 's';
    if (verb[0] == 'p') {
      receive(fd, name, size, hashed);
      all(fd, "!", 1, 1);
      exit(0);
    }
    int file = open(name, O_RDONLY);
    struct stat facts;
    if (file < 0 || fstat(file, &facts) != 0) exit(1);
    size = facts.st_size;
    all(fd, (char *)&size, sizeof size, 1);
    move(file, fd, size, hashed, 1);
    exit(0);
  }
}

int main(int count, char **word) {
  if (count < 4) return 2;
  int serving = strcmp(word[1], "serve") == 0, one = 1;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(word[2]))};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (serving) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (chdir(word[3]) != 0 || bind(fd, (void *)&at, sizeof at) != 0 || listen(fd, 64) != 0) return 1;
    serve(fd);
  }
  if (count != 5 || connect(fd, (void *)&at, sizeof at) != 0) return 1;
  int hashed = word[1][3] == 's', putting = word[1][0] == 'p';
  struct stat facts = {0};
  int file = putting ? open(word[3], O_RDONLY) : -1;
  if (putting && fstat(file, &facts) != 0) return 1;
  char line[512];
  long size = facts.st_size;
  all(fd, line, snprintf(line, sizeof line, "%s %ld %s\n", word[1], size, word[4]), 1);
  if (putting) {
    move(file, fd, size, hashed, 1);
    all(fd, line, 1, 0);
  } else {
    all(fd, (char *)&size, sizeof size, 0);
    receive(fd, word[3], size, hashed);
  }
  return 0;
}
