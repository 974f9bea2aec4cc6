/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the tools are built with for fuzzing (-include), so that they can be run again
 * and again in one process and need not know: their variables are in two sections, which run.c
 * makes what they were; by other names for them, what ends the process or leaves something in it is
 * run.c's, and what changes files is box.c's.
 */
#ifndef FUZZ_TOOL_H
#define FUZZ_TOOL_H

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <zlib.h>

/* run.c */
noreturn void tool_exit(int status);
int tool_atexit(void (*fn)(void));
void (*tool_signal(int sig, void (*handler)(int)))(int);
void *tool_malloc(size_t size);
void *tool_realloc(void *old, size_t size);
void tool_free(void *p);
int tool_vasprintf(char **res, const char *fmt, va_list args);
char *tool_realpath(const char *path, char *res);
int tool_fclose(FILE *f);
int tool_inflate_init(z_stream *z, const char *version, int size);
int tool_inflate_init2(z_stream *z, int bits, const char *version, int size);
int tool_inflate_end(z_stream *z);
struct archive *tool_archive_new(void);
int tool_archive_free(struct archive *a);

/* box.c */
int tool_open(const char *path, int flags, ...);
int tool_openat(int dir, const char *name, int flags, ...);
int tool_mkdir(const char *path, mode_t mode);
int tool_mkdirat(int dir, const char *name, mode_t mode);
int tool_mknodat(int dir, const char *name, mode_t mode, dev_t dev);
int tool_symlinkat(const char *target, int dir, const char *name);
int tool_unlinkat(int dir, const char *name, int flags);
int tool_fchownat(int dir, const char *name, uid_t uid, gid_t gid, int flags);
int tool_fchmodat(int dir, const char *name, mode_t mode, int flags);
int tool_utimensat(int dir, const char *name, const struct timespec *times, int flags);
int tool_fchown(int fd, uid_t uid, gid_t gid);
int tool_fchmod(int fd, mode_t mode);
int tool_futimens(int fd, const struct timespec *times);
int tool_ftruncate(int fd, off_t size);
ssize_t tool_pwrite(int fd, const void *buf, size_t len, off_t offset);
int tool_unlink(const char *path);
int tool_rename(const char *from, const char *to);
int tool_linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);

/* The variables: names that the linker gives to the beginning and the end of a section */
extern unsigned char __start_tool_bss[], __stop_tool_bss[];
extern unsigned char __start_tool_data[], __stop_tool_data[];

#ifdef FUZZ_TOOL
#pragma clang section bss = "tool_bss" data = "tool_data"

#define exit		tool_exit
#define atexit		tool_atexit
#define signal		tool_signal
#define malloc		tool_malloc
#define realloc		tool_realloc
#define free		tool_free
#define vasprintf	tool_vasprintf
#define realpath	tool_realpath
#define fclose		tool_fclose
#define inflateInit_	tool_inflate_init
#define inflateInit2_	tool_inflate_init2
#define inflateEnd	tool_inflate_end
#define archive_read_new	tool_archive_new
#define archive_read_free	tool_archive_free

#define open		tool_open
#define openat		tool_openat
#define mkdir		tool_mkdir
#define mkdirat		tool_mkdirat
#define mknodat		tool_mknodat
#define symlinkat	tool_symlinkat
#define unlinkat	tool_unlinkat
#define fchownat	tool_fchownat
#define fchmodat	tool_fchmodat
#define utimensat	tool_utimensat
#define fchown		tool_fchown
#define fchmod		tool_fchmod
#define futimens	tool_futimens
#define ftruncate	tool_ftruncate
#define pwrite		tool_pwrite
#define unlink		tool_unlink
#define rename		tool_rename
#define linkat		tool_linkat
#endif

#endif
