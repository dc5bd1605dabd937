#include "rt/nodes/gain.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {

void add_processor_types(std::vector<TypeSpec>& types) {
  types.push_back({.name = "gain",
                   .description = "Louder or softer, every channel alike.",
                   .role = TypeRole::processor,
                   .params = {gain_db_spec(rt::GainParam::gain_db)}});
  types.push_back({.name = "pan",
                   .description = "Places one channel between two, or balances two; more than two pass unchanged.",
                   .role = TypeRole::processor,
                   .params = {pan_spec(rt::PanParam::pan)}});
}

}  // namespace continuo::session
