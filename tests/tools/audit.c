// SPDX-License-Identifier: GPL-2.0-only
/*
 * audit - switch the kernel's auditing on or off
 *
 *	audit on|off
 *
 * Without an audit daemon the records go to the kernel log. Exit status 1 if
 * the kernel refuses, or has no auditing.
 */
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct {
		struct nlmsghdr		head;
		struct audit_status	status;
	} request = {
		.head.nlmsg_len = sizeof(request),
		.head.nlmsg_type = AUDIT_SET,
		.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.status.mask = AUDIT_STATUS_ENABLED,
	};
	struct {
		struct nlmsghdr		head;
		struct nlmsgerr		error;
	} answer = {};
	int sock;

	if (argc != 2 || (strcmp(argv[1], "on") && strcmp(argv[1], "off"))) {
		fprintf(stderr, "usage: audit on|off\n");
		return 2;
	}
	request.status.enabled = !strcmp(argv[1], "on");

	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (sock < 0 || send(sock, &request, sizeof(request), 0) < 0 ||
	    recv(sock, &answer, sizeof(answer), 0) < 0) {
		perror("audit");
		return 1;
	}
	if (answer.head.nlmsg_type != NLMSG_ERROR || answer.error.error) {
		fprintf(stderr, "audit: %s\n", strerror(-answer.error.error));
		return 1;
	}
	return 0;
}
