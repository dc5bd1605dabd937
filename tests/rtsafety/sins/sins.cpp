// A gate that cannot fail is no gate: each of these sins, committed inside Renderer::process, must end this process
// with RealtimeSanitizer's status. `none` must end with 0.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "rt/nodes/device_io.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;

std::mutex mutex;
std::vector<int> grown;
void* volatile kept = nullptr;  // so that no optimiser takes the sin away

/// Through the door that the compiler does not look behind: the run-time check still does.
class SinKind final : public rt::NodeKind {
 public:
  explicit SinKind(const char* sin) : NodeKind("sin"), sin_(sin) {}
  void process(rt::Step&, const rt::Slice&) const noexcept RT_NONBLOCKING override {
    rt::trusted([this] {
      if (std::strcmp(sin_, "malloc") == 0) kept = std::malloc(100);
      if (std::strcmp(sin_, "vector") == 0) grown.resize(grown.size() + 10000);
      if (std::strcmp(sin_, "mutex") == 0) std::scoped_lock lock(mutex);
      if (std::strcmp(sin_, "file") == 0) (void)std::fopen("/proc/self/stat", "r");
      if (std::strcmp(sin_, "sleep") == 0) usleep(1);
    });
  }

 private:
  const char* sin_;
};

}  // namespace

int main(int argc, char** argv) {
  const SinKind kind(argc > 1 ? argv[1] : "none");
  test::Rig rig(1);
  test::PlanBuilder b;
  b.node(rig.node(kind), {}, 0);
  rig.send(b.build(), {});
  rig.run(64);
  return 0;
}
