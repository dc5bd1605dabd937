// Must not compile where function effects are errors, once CONTINUO_SIN is defined: the override forgot the mark and is
// checked all the same.
#include <vector>

#include "rt/node.hpp"

namespace {

class ForgetfulKind final : public continuo::rt::NodeKind {
 public:
  ForgetfulKind() : NodeKind("forgetful") {}
  void process(continuo::rt::Step& step, const continuo::rt::Slice& slice) const noexcept override {
#ifdef CONTINUO_SIN
    std::vector<float> copy;
    copy.push_back(static_cast<float>(slice.frames));
    step.rows[0] = copy[0];
#else
    step.rows[0] = static_cast<float>(slice.frames);
#endif
  }
};

}  // namespace

const continuo::rt::NodeKind& forgetful_kind() {
  static const ForgetfulKind kind;
  return kind;
}
