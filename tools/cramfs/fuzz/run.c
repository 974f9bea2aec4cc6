// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a program of the tools in this process, again and again. Programs end by exit(), with memory
 * and files in use and variables set: here exit() is a jump back to who has called, which then puts
 * all this in order. Only what a program has taken itself is freed, since what a library keeps may
 * be for later; so allocations and objects of libraries that the tools do not always free are
 * listed (see tool.h).
 */
#include <locale.h>
#include <search.h>
#include <setjmp.h>
#include <stdint.h>

#include "run.h"
#include "tool.h"

#define MOST_ARGS	32
#define MOST_HANDLERS	4
#define MOST_OBJECTS	8

/* Fewer than a control character is not to be printed anywhere. */
#define FIRST_PRINTABLE	0x20

struct printed run_out, run_err;
const char *program;

static struct {
	bool runs;
	jmp_buf end;
	int status;
	/* Allocations, for tsearch(): pointers to themselves */
	void *live;

	void (*handler[MOST_HANDLERS])(void);
	unsigned int nr_handlers;
	struct archive *archive[MOST_OBJECTS];
	unsigned int nr_archives;
	struct z_stream_s *inflating[MOST_OBJECTS];
	unsigned int nr_inflating;
	FILE *out, *err;
	/* of the process: the first descriptor that is nobody's, and where findings are told */
	int first_fd, report_fd;
} now = { .report_fd = 2 };

/**
 * finding() - say what is wrong with a program, and end the process as libFuzzer expects it
 * @fmt: what is wrong
 */
void finding(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	dprintf(now.report_fd, "FINDING: %s\n%.*s\n", text,
		(int)(run_err.len < 2000 ? run_err.len : 2000), (const char *)run_err.bytes);
	abort();
}

/*
 * The variables of the tools. Between them is what AddressSanitizer has put there, so nothing that
 * it looks at may copy.
 */
static unsigned char *saved_data;

#define COPIES_ALL __attribute__((no_sanitize("address", "undefined"), no_builtin))

COPIES_ALL static void copy_variables(unsigned char *to, const unsigned char *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = from[i];
}

COPIES_ALL static void zero_variables(void)
{
	__u64 *p = (__u64 *)__start_tool_bss, *end = (__u64 *)__stop_tool_bss;

	while (p < end)
		*p++ = 0;
}

static size_t data_len(void)
{
	return __stop_tool_data - __start_tool_data;
}

static void reset_variables(void)
{
	zero_variables();
	copy_variables(__start_tool_data, saved_data, data_len());
}

/* Memory */

static int compare_pointers(const void *a, const void *b)
{
	return a < b ? -1 : a > b;
}

static void *remember(void *p)
{
	if (p && !tsearch(p, &now.live, compare_pointers))
		finding("the harness has no memory");
	return p;
}

/* Return: whether it was known. */
static bool forget(void *p)
{
	return p && tdelete(p, &now.live, compare_pointers);
}

void *tool_malloc(size_t size)
{
	return remember(malloc(size));
}

void *tool_realloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (p) {
		forget(old);
		remember(p);
	}
	return p;
}

/* Some of it comes from functions of libraries, such as getline(). */
void tool_free(void *p)
{
	forget(p);
	free(p);
}

int tool_vasprintf(char **res, const char *fmt, va_list args)
{
	int len = vasprintf(res, fmt, args);

	if (len >= 0)
		remember(*res);
	return len;
}

char *tool_realpath(const char *path, char *res)
{
	char *real = realpath(path, res);

	return res ? real : remember(real);
}

/* Objects of libraries */

int tool_inflate_init(z_stream *z, const char *version, int size)
{
	return tool_inflate_init2(z, MAX_WBITS, version, size);
}

int tool_inflate_init2(z_stream *z, int bits, const char *version, int size)
{
	int res = inflateInit2_(z, bits, version, size);

	if (now.nr_inflating == MOST_OBJECTS)
		finding("the harness has no room for so many streams");
	if (res == Z_OK)
		now.inflating[now.nr_inflating++] = z;
	return res;
}

int tool_inflate_end(z_stream *z)
{
	unsigned int i;

	for (i = 0; i < now.nr_inflating; i++)
		if (now.inflating[i] == z)
			now.inflating[i] = now.inflating[--now.nr_inflating];
	return inflateEnd(z);
}

struct archive *tool_archive_new(void)
{
	struct archive *a = archive_read_new();

	if (now.nr_archives == MOST_OBJECTS)
		finding("the harness has no room for so many archives");
	if (a)
		now.archive[now.nr_archives++] = a;
	return a;
}

int tool_archive_free(struct archive *a)
{
	unsigned int i;

	for (i = 0; i < now.nr_archives; i++)
		if (now.archive[i] == a)
			now.archive[i] = now.archive[--now.nr_archives];
	return archive_read_free(a);
}

/* Output: of long texts, the beginning will do. None may have what a terminal obeys. */

static ssize_t take_output(void *cookie, const char *buf, size_t len)
{
	struct printed *to = cookie;
	size_t room = sizeof(to->bytes) - to->len;

	if (to->len < sizeof(to->bytes))
		memcpy(to->bytes + to->len, buf, len < room ? len : room);
	to->len += len;
	return len;
}

static FILE *open_output(struct printed *to)
{
	FILE *f = fopencookie(to, "w", (cookie_io_functions_t){ .write = take_output });

	if (!f)
		finding("the harness cannot open a stream");
	to->len = 0;
	return f;
}

int tool_fclose(FILE *f)
{
	if (f == now.out)
		now.out = NULL;
	return fclose(f);
}

static void check_text(const struct printed *text, const char *what)
{
	size_t i, len = text->len < sizeof(text->bytes) ? text->len : sizeof(text->bytes);

	for (i = 0; i < len; i++)
		if ((text->bytes[i] < FIRST_PRINTABLE && text->bytes[i] != '\n') ||
		    text->bytes[i] == 0x7f)
			finding("%s has the control character %#x", what, text->bytes[i]);
}

/* The process */

void tool_exit(int status)
{
	if (!now.runs)
		finding("exit(%d) while nothing runs", status);
	now.status = status;
	longjmp(now.end, 1);
}

int tool_atexit(void (*fn)(void))
{
	if (now.nr_handlers == MOST_HANDLERS)
		finding("the harness has no room for so many handlers");
	now.handler[now.nr_handlers++] = fn;
	return 0;
}

/* These are libFuzzer's. */
void (*tool_signal(int sig, void (*handler)(int)))(int)
{
	(void)sig;
	(void)handler;
	return SIG_DFL;
}

static int first_free_fd(void)
{
	int fd, last = STDERR_FILENO;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			last = fd;
	return last + 1;
}

static void put_in_order(void)
{
	while (now.nr_handlers)
		now.handler[--now.nr_handlers]();
	while (now.nr_archives)
		archive_read_free(now.archive[--now.nr_archives]);
	while (now.nr_inflating)
		inflateEnd(now.inflating[--now.nr_inflating]);
	tdestroy(now.live, free);
	now.live = NULL;
	uselocale(LC_GLOBAL_LOCALE);
	close_range(now.first_fd, ~0U, 0);
	reset_variables();
}

/**
 * run_args() - run a program
 * @tool: its main function
 * @args: its name and arguments, and NULL
 *
 * Return: its exit status. What it has printed is in run_out and run_err.
 */
int run_args(int (*tool)(int argc, char **argv), const char *const *args)
{
	FILE *const out = stdout, *const err = stderr;
	char *argv[MOST_ARGS + 1] = { NULL };
	sigset_t signals;
	mode_t mask;
	int argc = 0;

	while (args[argc] && argc < MOST_ARGS) {
		argv[argc] = (char *)args[argc];
		argc++;
	}
	if (!now.first_fd)
		now.first_fd = first_free_fd();
	mask = umask(022);
	sigprocmask(SIG_SETMASK, NULL, &signals);
	now.out = open_output(&run_out);
	now.err = open_output(&run_err);
	stdout = now.out;
	stderr = now.err;
	program = args[0];
	/* Of getopt(): begin anew. */
	optind = 0;
	now.runs = true;
	if (!setjmp(now.end))
		now.status = tool(argc, argv);
	now.runs = false;
	stdout = out;
	stderr = err;
	if (now.out)
		fclose(now.out);
	fclose(now.err);
	put_in_order();
	sigprocmask(SIG_SETMASK, &signals, NULL);
	umask(mask);
	check_text(&run_err, "standard error");
	if (now.status && !run_err.len)
		finding("%s ends with status %d and says nothing", args[0], now.status);
	return now.status;
}

/**
 * run() - run a program
 * @tool: its main function
 * @name: its name, followed by its arguments, and NULL
 *
 * Return: its exit status. What it has printed is in run_out and run_err.
 */
int run(int (*tool)(int argc, char **argv), const char *name, ...)
{
	const char *args[MOST_ARGS + 1] = { name };
	va_list list;
	int n = 0;

	va_start(list, name);
	while (args[n] && n < MOST_ARGS)
		args[++n] = va_arg(list, const char *);
	va_end(list);
	return run_args(tool, args);
}

/**
 * run_first_line() - what the last program has said first, for a finding
 *
 * Return: the line, or the beginning of it.
 */
const char *run_first_line(void)
{
	static char line[200];
	size_t len = run_err.len < sizeof(line) - 1 ? run_err.len : sizeof(line) - 1;

	memcpy(line, run_err.bytes, len);
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* The sanitizers ask for these. */
const char *__asan_default_options(void)
{
	return target_asan_options;
}

const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* libFuzzer may close standard error, so that nothing is seen of what programs print. */
	now.report_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	saved_data = malloc(data_len() + 1);
	if (!saved_data)
		finding("the harness has no memory");
	copy_variables(saved_data, __start_tool_data, data_len());
	box_init();
	target_init();
	return 0;
}
