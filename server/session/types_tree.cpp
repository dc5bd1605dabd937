#include "rt/nodes/gain.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

std::vector<ParamSpec> strip_params() {
  return {gain_db_spec(rt::FaderParam::gain_db), pan_spec(rt::FaderParam::pan),
          switch_spec("mute", false, "Silences the node after its \"pre\" port.", -1),
          switch_spec("solo", false, "Silences every track and bus that neither feeds nor is fed by a soloed one.", -1),
          switch_spec("invert_polarity", false, "Turns the wave over.", rt::FaderParam::inverted),
          channels_spec(0, 0, "Channels of its chain; 0: as many as come in.")};
}

}  // namespace

void add_tree_types(std::vector<TypeSpec>& types) {
  types.push_back({.name = "container",
                   .description = "Holds tracks, buses and other nodes; has no sound of its own.",
                   .role = TypeRole::container,
                   .has_children = true});
  types.push_back({.name = "track",
                   .description = "A chain of children in order, then gain, pan and mute.",
                   .role = TypeRole::track,
                   .has_children = true,
                   .params = strip_params()});
  types.push_back({.name = "bus",
                   .description = "A track that sums others: at least two channels unless told otherwise.",
                   .role = TypeRole::bus,
                   .has_children = true,
                   .params = strip_params()});
  types.push_back(
      {.name = "in", .description = "The device's input channels.", .role = TypeRole::device_in, .creatable = false});
  types.push_back({.name = "out",
                   .description = "The device's output channels.",
                   .role = TypeRole::device_out,
                   .creatable = false});
}

}  // namespace continuo::session
