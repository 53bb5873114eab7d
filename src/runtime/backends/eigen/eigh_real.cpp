#include "runtime/backends/eigen/eigh.h"

template bool autoray::runtime::eigen_eigh(Workspace&, char, bool, int, double*, double*);
