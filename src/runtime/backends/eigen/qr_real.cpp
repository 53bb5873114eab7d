#include "runtime/backends/eigen/qr.h"

template bool autoray::runtime::eigen_qr_factor(Workspace&, int, int, double*, double*);
template bool autoray::runtime::eigen_qr_form(Workspace&, int, int, int, double*, const double*);
