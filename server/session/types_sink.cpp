#include "server/session/type_tables.hpp"

#include "server/base/settings_check.hpp"

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
                               .description = "Sample format of the file; FLAC holds at most 8 channels.",
                               .choices = {"float32", "pcm24", "pcm16", "flac24", "flac16"}},
                              {.name = "file_template",
                               .kind = ParamKind::text,
                               .default_value = std::string(),
                               .description = "What its takes are called, of {node} {name} {session} {take} {n} {date} "
                                              "{time} {channel}; empty: as the configuration says.",
                               .check = check_template},
                              {.name = "arm",
                               .kind = ParamKind::boolean,
                               .default_value = true,
                               .description = "A record start that names nobody takes it."},
                              {.name = "pre_record_s",
                               .max = 600.0,
                               .default_value = 0.0,
                               .unit = "s",
                               .description = "While armed, so much of what was before a take is kept on disk, and "
                                              "becomes its beginning."}}});
}

}  // namespace continuo::session
