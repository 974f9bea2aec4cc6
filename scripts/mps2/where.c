// SPDX-License-Identifier: GPL-2.0-only
/*
 * where [PID...]: the text mappings of these processes and of this one, a line
 * each: the process and what /proc/PID/maps says.
 */

#include <stdio.h>
#include <string.h>

static void first_line(const char *pid, const char *name, char *line, size_t size)
{
	FILE *file;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	line[0] = '\0';
	file = fopen(path, "r");
	if (!file)
		return;
	if (fgets(line, size, file))
		line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static int show(const char *pid)
{
	char path[64], line[256], name[32];
	FILE *file;
	int shown = 0;

	first_line(pid, "comm", name, sizeof(name));
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	file = fopen(path, "r");
	if (!file) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, " r-x"))
			continue;
		printf("%5s %-6s %s", pid, name, line);
		shown++;
	}
	fclose(file);
	return !shown;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int n = 1; n < argc; n++)
		failed |= show(argv[n]);
	return failed | show("self");
}
