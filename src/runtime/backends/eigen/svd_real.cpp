#include "runtime/backends/eigen/svd.h"

template bool autoray::runtime::eigen_svd(Workspace&, SvdVectors, int, int, double*, double*, double*, double*);
