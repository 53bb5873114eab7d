#include "runtime/backends/eigen/eigh.h"

template bool autoray::runtime::eigen_eigh(Workspace&, char, bool, int, EigenComplex*, double*);
