/* Generalized advantage estimation for `rlcalc conform --exec ./gae --formula gae --no-batch`.
 *
 * Reads just as much JSON as the cases have: it looks for a key and takes the
 * number, or the flat list of numbers and booleans, behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

/* Entries behind a key, -1 where the key is absent. */
static int list(const char *line, const char *key, double *out) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(line, quoted);
    if (at == NULL) return -1;
    at += strlen(quoted);
    while (*at == ' ') at++;
    int single = *at != '[', count = 0;
    if (!single) at++;
    while (*at && *at != ']' && count < MOST) {
        if (*at == ' ' || *at == ',') { at++; continue; }
        if (!strncmp(at, "true", 4)) { out[count++] = 1; at += 4; }
        else if (!strncmp(at, "false", 5)) { out[count++] = 0; at += 5; }
        else {
            char *end;
            out[count] = strtod(at, &end);
            if (end == at) break;
            at = end;
            count++;
        }
        if (single) break;
    }
    return count;
}

int main(void) {
    static char line[1 << 20];
    static double rewards[MOST], values[MOST], gamma[MOST], lam[MOST], over[MOST], cut[MOST], next[MOST], a[MOST];
    while (fgets(line, sizeof line, stdin)) {
        int steps = list(line, "rewards", rewards), discounts = list(line, "gamma", gamma);
        list(line, "values", values);
        list(line, "lam", lam);
        int overs = list(line, "terminated", over), cuts = list(line, "truncated", cut);
        int nexts = list(line, "next_values", next);
        double later = 0;
        for (int t = steps - 1; t >= 0; t--) {
            double g = discounts > 1 ? gamma[t] : gamma[0];
            int is_over = overs > 0 && over[t] != 0, is_cut = cuts > 0 && cut[t] != 0;
            double successor = is_over ? 0 : nexts > 0 ? next[t] : values[t + 1];
            double delta = rewards[t] + g * successor - values[t];
            later = delta + (is_over || is_cut ? 0 : g * lam[0] * later);
            a[t] = later;
        }
        printf("{\"answer\": [");
        for (int t = 0; t < steps; t++) printf(t ? ", %.17g" : "%.17g", a[t]);
        printf("]}\n");
        fflush(stdout);
    }
    return 0;
}
