#include "server/session/type_tables.hpp"

namespace continuo::session {

void add_sink_types(std::vector<TypeSpec>& types) {
  types.push_back(
      {.name = "meter", .description = "Shows the level at its place in the chain.", .role = TypeRole::sink});
  types.push_back({.name = "recorder",
                   .description = "Records what passes at its place in the chain.",
                   .role = TypeRole::sink,
                   .params = {{.name = "format",
                               .kind = ParamKind::choice,
                               .default_value = std::string("float32"),
                               .structural = true,
                               .description = "Sample format of the file.",
                               .choices = {"float32", "pcm24", "pcm16"}}}});
}

}  // namespace continuo::session
