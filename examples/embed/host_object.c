/* A plain C program on a compiled function of examples/heat.ar: heat_step.h and heat_step.o come from `autoray compile`, and
   nothing of autoray is needed when it runs. */
#include <stdio.h>
#include <stdlib.h>

#include "heat_step.h"

enum { N = 41 };

int main(void) {
  static double u[N * N];
  int call, i;
  double sum = 0;
  /* The caller owns all memory: the function allocates nothing. */
  void* workspace = malloc(simulate_workspace);
  if (!workspace && simulate_workspace > 0) return 1;
  for (i = 0; i < N; ++i) u[i] = 100.0;
  for (call = 0; call < 10; ++call)
    if (simulate(u, 0.2, workspace) != 0) return 1;
  for (i = 0; i < N * N; ++i) sum += u[i];
  printf("after 100 steps: mean %.6f, centre %.6f\n", sum / (N * N), u[N / 2 * N + N / 2]);
  free(workspace);
  return 0;
}
