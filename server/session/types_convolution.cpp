#include "rt/nodes/convolver.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

ParamSpec level(std::string_view name, double default_db, std::string_view description, int rt_index) {
  ParamSpec spec = gain_db_spec(rt_index, default_db);
  spec.name = name;
  spec.description = description;
  return spec;
}

TypeSpec convolution() {
  using P = rt::ConvolverParam;
  TypeSpec type{
      .name = "convolution",
      .description =
          "Convolves with an impulse response, say of a room. One input comes out on as many channels as the file "
          "has; 4 channels on a pair are true stereo: left to left, left to right, right to left, right to "
          "right; else each input has its own channel of the file, or, where those do not suffice, the first.",
      .role = TypeRole::processor};
  type.params = {
      {.name = "file",
       .kind = ParamKind::file,
       .default_value = std::string(),
       .structural = true,
       .description = "Impulse response: \"root:relative/path\", or relative to the session; at most 10 s and "
                      "8 channels; empty: none."},
      {.name = "latency_frames",
       .kind = ParamKind::choice,
       .default_value = std::string("0"),
       .structural = true,
       .unit = "frames",
       .description = "How late it sounds, which is compensated; the later, the cheaper.",
       .choices = {"0", "64", "128", "256", "512", "1024", "2048", "4096", "8192", "16384"}},
      level("wet_db", 0.0, "Level of what was convolved; -150 is silence.", P::wet_db),
      level("dry_db", -150.0, "Level of the sound itself beside it; -150 is silence.", P::dry_db),
      bypass_spec(P::bypass)};
  return type;
}

}  // namespace

void add_convolution_types(std::vector<TypeSpec>& types) { types.push_back(convolution()); }

}  // namespace continuo::session
