/* Between grapnel and its plugin libgrapnel-flight.so, which alone knows Arrow Flight. Plain C.
 * Both sides come from one build: `abi_version` must match exactly.
 *
 * The plugin exports one symbol:
 *     const struct grapnel_wire_plugin *grapnel_wire_plugin(void);
 *
 * Rules for everything below:
 * - Text is UTF-8. (pointer, size) pairs need no NUL; `const char *` alone has one.
 * - A function returns 0, or nonzero after filling *error, which the caller releases by
 *   error->release. Outputs are untouched on failure.
 * - No exception and no signal handler crosses.
 * - Options and statistics are JSON texts that the plugin carries and does not read.
 */
#ifndef GRAPNEL_WIRE_PLUGIN_ABI_H
#define GRAPNEL_WIRE_PLUGIN_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "grapnel/arrow_c_abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GRAPNEL_WIRE_ABI_VERSION 1

/* An error, with every field that a person or an exit code needs: it must arrive at the other end
 * of the wire as it left. */
struct grapnel_wire_error {
  int32_t kind;         /* grapnel::ErrorKind as a number */
  int32_t system_errno; /* or 0 */
  int64_t sql_offset;   /* or -1 */
  const char* message;
  const char* hint;                            /* "" if none */
  void (*release)(struct grapnel_wire_error*); /* frees the texts; never NULL after a failure */
  void* private_data;
};

struct grapnel_wire_progress {
  uint64_t bytes_done, bytes_total;
  double seconds;
  const char* hook;
};

/* What the caller of a query offers. Both functions may be called from any thread, until the query
 * is released; they are cheap and do not block. */
struct grapnel_wire_caller {
  void* context;
  /* Nonzero once nobody wants the result. The side that runs the query looks at least every 20 ms;
   * calls that block return an error of kind cancelled within 100 ms. */
  int (*is_cancelled)(void* context);
  /* May be NULL: no progress wanted. */
  void (*progress)(void* context, const struct grapnel_wire_progress* progress);
};

/* One query, as client and server both see it. Used by one thread at a time. */
struct grapnel_wire_query {
  /* Owned by the query: do not release it apart. get_schema does not block for long; the first
   * get_next runs the scan and blocks until there are rows or the end. After a failure `error`
   * below has the whole error. */
  struct ArrowArrayStream stream;
  /* The error behind a failed stream call, with a release function of its own; returns 0 if there
   * was one, else nonzero. */
  int (*error)(struct grapnel_wire_query*, struct grapnel_wire_error* out);
  /* JSON text; complete after the stream's end. Borrowed until `release`. Never NULL. */
  const char* (*statistics)(struct grapnel_wire_query*);
  /* Client: bytes of messages received so far, headers included as far as known. Server: 0. */
  uint64_t (*bytes_received)(struct grapnel_wire_query*);
  /* Stops what runs and frees everything; a stream still there is released too. */
  void (*release)(struct grapnel_wire_query*);
  void* private_data;
};

/* What a server needs from the engine. Thread-safe; outlives the server. Paths in `sql` are
 * confined to the served root by the engine. */
struct grapnel_wire_engine {
  void* context;
  /* Parses, opens, binds: *out has the schema at once, reads nothing yet. `options` is the text
   * that the client gave to execute, or "" from foreign clients. *caller is copied. */
  int (*execute)(void* context, const char* sql, size_t sql_size, const char* options,
                 size_t options_size, const struct grapnel_wire_caller* caller,
                 struct grapnel_wire_query* out, struct grapnel_wire_error* error);
};

struct grapnel_wire_connection; /* opaque; thread-safe */
struct grapnel_wire_server;     /* opaque */

struct grapnel_wire_plugin {
  uint32_t abi_version;
  const char* description; /* "Arrow Flight 26.0.1", for doctor and --version */

  /* Client. `host` is a name or an address (IPv6 without brackets). Connects within 10 s or fails
   * with kind network. */
  int (*connect)(const char* host, uint16_t port, struct grapnel_wire_connection** out,
                 struct grapnel_wire_error* error);
  /* Sends the statement as the ticket: one round trip. Returns when the schema has arrived.
   * *caller is copied. The query may outlive neither the connection nor the caller's context. */
  int (*execute)(struct grapnel_wire_connection*, const char* sql, size_t sql_size,
                 const char* options, size_t options_size, const struct grapnel_wire_caller* caller,
                 struct grapnel_wire_query* out, struct grapnel_wire_error* error);
  void (*disconnect)(struct grapnel_wire_connection*);

  /* Server: listens from here on, in its own threads. *engine is copied, its context outlives the
   * server. Port 0: a free one. */
  int (*serve)(const char* host, uint16_t port, const struct grapnel_wire_engine* engine,
               struct grapnel_wire_server** out, struct grapnel_wire_error* error);
  uint16_t (*port)(const struct grapnel_wire_server*);
  /* Makes is_cancelled of all running queries true, waits until they have ended, frees. */
  void (*stop)(struct grapnel_wire_server*);
};

#ifdef __cplusplus
}
#endif

#endif
