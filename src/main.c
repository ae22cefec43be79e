/* SPDX-License-Identifier: Apache-2.0 */
/* main: argv to a command.  Before that, the process is made safe to write from: descriptors 0 to 2 exist, so that no
 * file of ours can be opened under the number of standard output, and a reader who goes away is an error of write(),
 * not a death. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"

/* A descriptor that the caller closed is held by /dev/null, opened for reading: writes to it fail, as they should. */
static void hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			_exit(EXIT_INPUT);
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int print_version(void)
{
	struct buf b;
	int status;

	buf_init(&b, 256);
	buf_add_cstr(&b, "taximeter " TXM_VERSION "\n");
	status = cmd_print(NULL, &b);
	buf_release(&b);
	return status;
}

int main(int argc, char **argv)
{
	const struct command *c;
	const char *word = argc > 1 ? argv[1] : NULL;
	char *help[] = { "help", NULL };

	hold_standard_descriptors();
	signal(SIGPIPE, SIG_IGN);
	if (!word)
		return cmd_usage_error(NULL,
				       "no command given (see 'taximeter help'; most likely: taximeter scan PATH...)");
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return print_version();
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return command_find("help")->run(1, help);
	c = command_find(word);
	if (c)
		return c->run(argc - 1, argv + 1);
	if (word[0] != '-' && access(word, F_OK) == 0)
		return cmd_usage_error(NULL, "'%s' is no command; to read it: taximeter scan '%s'", word, word);
	return cmd_usage_error(NULL, "'%s' is no command (see 'taximeter help')", word);
}
