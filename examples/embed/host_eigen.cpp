// Eigen's matrices and a script share memory; a solver of Eigen's is an operation of the script's.
#include <autoray/eigen.h>
#include <autoray/engine.h>

#include <Eigen/Cholesky>
#include <cstdio>

static const char* kScript = R"(
from autoray import do

def ridge(A, b, damping):
    n = A.shape[1]
    return do('spd_solve', A.T @ A + damping * do('eye', n, like=A), A.T @ b)
)";

int main() {
  try {
    autoray::Engine engine;
    engine.register_function("numpy", "spd_solve", [](autoray::Span<const autoray::Array> operands) {
      autoray::Array a = operands[0], b = operands[1];
      autoray::Array x = autoray::Array::make("float64", b.shape());
      autoray::map<Eigen::VectorXd>(x) = autoray::map<Eigen::MatrixXd>(a).llt().solve(autoray::map<Eigen::VectorXd>(b));
      return x;
    });
    autoray::Program program = engine.load(kScript, "ridge.ar");
    program.run();

    Eigen::MatrixXd a(4, 2);
    a << 1, 0, 1, 1, 1, 2, 1, 3;
    Eigen::VectorXd b(4);
    b << 1, 3, 5, 7;
    double damping = 0;
    autoray::Array x =
        program.call("ridge", {autoray::view(a), autoray::view(b), autoray::Array::view(&damping, "float64", {})}).array();
    Eigen::VectorXd solution = autoray::map<Eigen::VectorXd>(x);
    std::printf("%.6f + %.6f x, residual %.1e\n", solution(0), solution(1), (a * solution - b).norm() < 1e-12 ? 0.0 : 1.0);
  } catch (const autoray::Error& error) {
    std::fputs(error.diagnostic().rendered.c_str(), stderr);
    return error.diagnostic().status;
  }
}
