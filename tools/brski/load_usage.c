/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_usage.c: CPU time and memory of a server's processes, from /proc. Children that have ended
 * are counted by whoever waited for them, so that a server which renews its children does not seem
 * cheap.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define MAX_PROCESSES 4096
#define MAX_DEPTH 8

typedef struct process_t {
    int pid;
    int parent;
    double cpu;
} process_t;

/* Fields 4, 14 to 17 of /proc/PID/stat; the command in field 2 may hold anything, blanks and
 * brackets too. */
static int read_stat(process_t *p, int pid)
{
    char path[64], text[1024], *rest;
    unsigned long user, system, child_user, child_system;
    size_t len;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (!file) {
        return 0;
    }
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu",
                        &p->parent, &user, &system, &child_user, &child_system) != 5) {
        return 0;
    }
    p->pid = pid;
    p->cpu = (double)(user + system + child_user + child_system) / (double)sysconf(_SC_CLK_TCK);
    return 1;
}

static int read_processes(process_t *all)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    while (dir && count < MAX_PROCESSES && (entry = readdir(dir)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) &&
            read_stat(&all[count], atoi(entry->d_name))) {
            count++;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

/* Proportional set size: pages that children share count once. */
static apr_int64_t memory_of(int pid)
{
    char path[64], line[128];
    long kib = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "Pss: %ld kB", &kib) == 1) {
            break;
        }
    }
    if (file) {
        fclose(file);
    }
    return (apr_int64_t)kib * 1024;
}

static void add(load_usage_t *out, const process_t *all, int count, int pid, int depth)
{
    int i;

    for (i = 0; i < count; i++) {
        if (all[i].pid == pid) {
            out->cpu += all[i].cpu;
            out->memory += memory_of(pid);
            out->processes++;
        }
        else if (all[i].parent == pid && depth < MAX_DEPTH) {
            add(out, all, count, all[i].pid, depth + 1);
        }
    }
}

void load_usage(load_usage_t *out, int pid)
{
    process_t *all;

    memset(out, 0, sizeof(*out));
    all = pid > 0 ? malloc(MAX_PROCESSES * sizeof(*all)) : NULL;
    if (all) {
        add(out, all, read_processes(all), pid, 0);
        free(all);
    }
}
