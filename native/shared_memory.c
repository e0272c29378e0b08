/*
 * What a store of several processes needs of the operating system and Node.js does not offer, as an addon in plain C
 * over Node-API 1: one binary for every supported Node.js line, and on Linux for glibc and musl alike, since it names
 * no library (the few functions it calls are those of the process that loads it).
 *
 * A function answers with 0, or with the errno that says why not; `src/memory/native.ts` gives it a name. A wrong type
 * of an argument throws a TypeError. No function keeps anything: any thread may call it.
 *
 *   map(view, fd)                  puts the file's first view.length bytes in the place of the view's memory
 *   lock(fd, operation)            flock(2)
 *   allocate(fd, offset, length)   backs a range of the file with memory or disk, so that writing there cannot fail
 *   fileSystem(fd)                 what the file lies on: the magic number of statfs(2) on Linux, the name on macOS;
 *                                  minus the errno if it fails
 */
#define _GNU_SOURCE
#define NAPI_VERSION 1
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/stat.h>
#else
#include <sys/vfs.h>
#endif
#include <node_api.h>

_Static_assert(sizeof(off_t) == 8 && sizeof(size_t) == 8, "a 64-bit system");

/* Offsets and lengths come as doubles: whole numbers up to 2^53. */
static const double LARGEST = 9007199254740991.0;

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value outcome(napi_env env, int result) { return number(env, result == 0 ? 0 : errno); }

static napi_value refuse(napi_env env, const char *usage) {
  napi_throw_type_error(env, NULL, usage);
  return NULL;
}

/* True, and `argv` filled, when there are exactly `count` arguments or more. */
static int arguments(napi_env env, napi_callback_info info, size_t count, napi_value *argv) {
  size_t argc = count;
  return napi_get_cb_info(env, info, &argc, argv, NULL, NULL) == napi_ok && argc >= count;
}

/* True for a whole number of [0, max]. Not napi_get_value_int32, which makes 0 of NaN and cuts 2^32 off. */
static int whole(napi_env env, napi_value value, double max, double *into) {
  return napi_get_value_double(env, value, into) == napi_ok && *into >= 0 && *into <= max &&
         (double)(int64_t)*into == *into;
}

static napi_value map(napi_env env, napi_callback_info info) {
  static const char usage[] = "map(view: Uint8Array of a SharedArrayBuffer, fd: number)";
  napi_value argv[2], buffer;
  napi_typedarray_type type;
  size_t length = 0;
  void *memory = NULL;
  double fd;
  bool is_unshared = true;
  if (!arguments(env, info, 2, argv) || !whole(env, argv[1], INT32_MAX, &fd) ||
      napi_get_typedarray_info(env, argv[0], &type, &length, &memory, &buffer, NULL) != napi_ok ||
      type != napi_uint8_array || napi_is_arraybuffer(env, buffer, &is_unshared) != napi_ok || is_unshared)
    return refuse(env, usage);
  /* Whole pages, or the mapping would take the place of memory beside the view. */
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  if (memory == NULL || length == 0 || ((uintptr_t)memory | length) & (page - 1)) return number(env, EINVAL);
  void *at = mmap(memory, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, (int)fd, 0);
  return outcome(env, at == memory ? 0 : -1);
}

static napi_value lock(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  double fd, operation;
  if (!arguments(env, info, 2, argv) || !whole(env, argv[0], INT32_MAX, &fd) ||
      !whole(env, argv[1], INT32_MAX, &operation))
    return refuse(env, "lock(fd: number, operation: number)");
  return outcome(env, flock((int)fd, (int)operation));
}

/*
 * Not posix_fallocate(3): where a file system cannot do it, glibc writes zeros into blocks that it read as empty, and
 * another process may have written there meanwhile.
 */
static napi_value allocate(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  double fd, offset, length;
  if (!arguments(env, info, 3, argv) || !whole(env, argv[0], INT32_MAX, &fd) ||
      !whole(env, argv[1], LARGEST, &offset) || !whole(env, argv[2], LARGEST, &length))
    return refuse(env, "allocate(fd: number, offset: number, length: number)");
#ifdef __APPLE__
  /* Room for all that the file has not, counted from its physical end: there is no allocation of a range. */
  struct stat file;
  if (fstat((int)fd, &file) != 0) return number(env, errno);
  off_t missing = (off_t)offset + (off_t)length - (off_t)file.st_blocks * 512;
  if (missing <= 0) return number(env, 0);
  fstore_t store = {F_ALLOCATEALL, F_PEOFPOSMODE, 0, missing, 0};
  return outcome(env, fcntl((int)fd, F_PREALLOCATE, &store) == -1 ? -1 : 0);
#else
  int result;
  do result = fallocate((int)fd, 0, (off_t)offset, (off_t)length);
  while (result != 0 && errno == EINTR); /* a profiler's signal, for one */
  return outcome(env, result);
#endif
}

static napi_value file_system(napi_env env, napi_callback_info info) {
  napi_value argv[1], name = NULL;
  double fd;
  struct statfs about;
  if (!arguments(env, info, 1, argv) || !whole(env, argv[0], INT32_MAX, &fd))
    return refuse(env, "fileSystem(fd: number)");
  if (fstatfs((int)fd, &about) != 0) return number(env, -errno);
#ifdef __APPLE__
  napi_create_string_utf8(env, about.f_fstypename, NAPI_AUTO_LENGTH, &name);
  return name;
#else
  (void)name;
  return number(env, (double)((uint64_t)about.f_type & UINT32_MAX));
#endif
}

NAPI_MODULE_INIT(/* env, exports */) {
  static const napi_property_descriptor all[] = {
      {"map", NULL, map, NULL, NULL, NULL, napi_enumerable, NULL},
      {"lock", NULL, lock, NULL, NULL, NULL, napi_enumerable, NULL},
      {"allocate", NULL, allocate, NULL, NULL, NULL, napi_enumerable, NULL},
      {"fileSystem", NULL, file_system, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, sizeof all / sizeof *all, all) != napi_ok) return NULL;
  return exports;
}
