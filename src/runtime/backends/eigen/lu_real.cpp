#include "runtime/backends/eigen/lu.h"

template bool autoray::runtime::eigen_lu(Workspace&, int, double*, int*);
template bool autoray::runtime::eigen_solve(Workspace&, int, int, double*, double*);
template bool autoray::runtime::eigen_cholesky(Workspace&, char, int, double*);
