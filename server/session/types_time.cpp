#include "server/session/type_tables.hpp"

namespace continuo::session {

void add_time_types(std::vector<TypeSpec>&) {}

}  // namespace continuo::session
