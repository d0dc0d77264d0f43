/* Run one plain file of vectors on one function: cc runner.c mine.c -lm -o run && ./run < entropy.txt
   answer() fills out with the output that it is asked for by name and gives how many numbers there are,
   0 for an output that it has not, -1 for inputs that it refuses. */
#include <math.h>
#include <stdio.h>
#include <string.h>

struct array { char name[64]; int rank, length[8], size; double value[65536]; };
int answer(const struct array *in, int inputs, const char *output, double *out);

static void read_array(struct array *a) {
  a->size = 1;
  scanf("%63s %d", a->name, &a->rank);
  for (int i = 0; i < a->rank; i++) scanf("%d", &a->length[i]), a->size *= a->length[i];
  for (int i = 0; i < a->size; i++) scanf("%lf", &a->value[i]);
}

static int is_right(double got, double right, double digits, double scale) {
  double least = fmax(fabs(right), scale);
  return got == right || fabs(got - right) <= pow(10, -digits) * (least > 0 ? least : 1);
}

int main(void) {
  static struct array in[16], right;
  static double out[65536];
  char word[16], id[128], code[64] = "";
  double digits = 0, scale = 0;
  int inputs = 0, wrong = 0, valid = 0, passed = 0, failed = 0;
  while (scanf("%15s", word) == 1) {
    if (!strcmp(word, "case")) valid = 1, inputs = wrong = 0, scanf("%127s %lf %lf", id, &digits, &scale);
    if (!strcmp(word, "invalid")) valid = inputs = wrong = 0, scanf("%127s %63s", id, code);
    if (!strcmp(word, "in")) read_array(&in[inputs++]);
    if (!strcmp(word, "out")) {
      read_array(&right);
      int size = answer(in, inputs, right.name, out);
      wrong |= size && size != right.size;
      for (int i = 0; size == right.size && i < size; i++)
        wrong |= !is_right(out[i], right.value[i], digits, scale);
    }
    if (strcmp(word, "end")) continue;
    if (!valid) wrong = answer(in, inputs, "", out) != -1;
    if (wrong) printf("%s: %s\n", id, valid ? "another answer" : code);
    wrong ? failed++ : passed++;
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
