#include "runtime/backends/eigen/lu.h"

template bool autoray::runtime::eigen_lu(Workspace&, int, EigenComplex*, int*);
template bool autoray::runtime::eigen_solve(Workspace&, int, int, EigenComplex*, EigenComplex*);
template bool autoray::runtime::eigen_cholesky(Workspace&, char, int, EigenComplex*);
