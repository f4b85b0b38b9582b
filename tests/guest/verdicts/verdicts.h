/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What verdicts.cpp and its BPF programs say to each other. */
#pragma once

enum {
  VERDICT_READ_BYTES = 12345, /* the size that our read() asks for: nobody else's does */
  VERDICT_CHUNK_BYTES = 4096,
  VERDICT_MOST_CHUNKS = 1024,
};

#define VERDICT_TEXT "result\n"

struct verdict_shared {
  unsigned int tgid; /* only this process is touched */
  int fd;            /* of the file to be read */
  unsigned int runs; /* how often a program did its work */
  int error;         /* of a helper; 0: none */
  unsigned long long bytes;
  unsigned long long sum; /* of the file's bytes */
  unsigned char chunk[VERDICT_CHUNK_BYTES];
};
